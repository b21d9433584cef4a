# nginx of Debian with fas's paths. Built from the top of the repository: see docker-compose.yml.
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends nginx && rm -rf /var/lib/apt/lists/*
COPY rest/nginx-main.conf /opt/fas/nginx.conf
COPY rest/nginx.conf /opt/fas/fas.conf
COPY rest/openapi.json /opt/fas/openapi.json
# The container's port is published on the host's loopback alone (docker-compose.yml).
RUN sed -i -e 's|^    server 127.0.0.1:9528;|    server postgrest:9528;|' -e 's|^    listen 127.0.0.1:9527;|    listen 9527;|' /opt/fas/fas.conf \
    && mkdir /opt/fas/tmp && ln -s /dev/stdout /opt/fas/nginx-access.log && ln -s /dev/stderr /opt/fas/nginx-error.log \
    && chown -R www-data: /opt/fas
USER www-data
EXPOSE 9527
STOPSIGNAL SIGQUIT
CMD ["nginx", "-p", "/opt/fas/", "-e", "nginx-error.log", "-c", "nginx.conf", "-g", "daemon off;"]
