# PostgreSQL 15 of Debian with fas in it. Built from the top of the repository: see docker-compose.yml.
FROM debian:bookworm-slim AS build
WORKDIR /src
COPY . .
RUN scripts/install-deps && make -j"$(nproc)" && make install DESTDIR=/out
RUN mkdir -p /out/usr/local/lib && cp -L "$(ldconfig -p | sed -n 's/.*libroaring\.so\.[0-9]* .*=> //p' | head -n 1)" /out/usr/local/lib/

FROM debian:bookworm-slim
# No cluster by the package: db-entry makes one on the volume.
RUN mkdir -p /etc/postgresql-common/createcluster.d \
    && echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/fas.conf \
    && apt-get update \
    && apt-get install -y --no-install-recommends postgresql-15 libsimdjson14 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /out/ /
COPY rest/api.sql rest/docker/db-entry /opt/fas/
RUN ldconfig && mkdir -p /data /run/fas && chown postgres: /data /run/fas
USER postgres
VOLUME /data /run/fas
STOPSIGNAL SIGINT
ENTRYPOINT ["/opt/fas/db-entry"]
