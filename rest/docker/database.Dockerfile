# PostgreSQL 15 of Debian with fas, for docker-compose.yml. The context is the source tree.
FROM debian:bookworm-slim AS build
WORKDIR /src
COPY . .
RUN scripts/install-deps
# What runs needs of all this: the extension, and CRoaring, which bookworm has too old.
RUN make -s -j"$(nproc)" all && make -s install DESTDIR=/out \
    && for library in /usr/lib/*/libroaring.so.*; do install -D "$library" "/out$library"; done

FROM debian:bookworm-slim
RUN mkdir -p /etc/postgresql-common/createcluster.d \
    && echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/fas.conf \
    && apt-get update && apt-get install -y --no-install-recommends postgresql-15 libsimdjson14 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /out/ /
COPY rest/api.sql rest/docker/database /usr/share/fas/
RUN ldconfig && mkdir -p /data && chown postgres: /data
USER postgres
VOLUME /data /var/run/postgresql
STOPSIGNAL SIGINT
HEALTHCHECK --interval=2s --start-period=60s CMD ["pg_isready", "-q", "-h", "/var/run/postgresql"]
CMD ["/usr/share/fas/database"]
