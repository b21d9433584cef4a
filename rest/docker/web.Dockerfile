# nginx of Debian with the documented paths of fas, for docker-compose.yml. The context is the source tree.
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends nginx-light && rm -rf /var/lib/apt/lists/*
WORKDIR /var/lib/fas
COPY rest/nginx-main.conf nginx.conf
COPY rest/nginx.conf fas.conf
COPY rest/openapi.json .
# The two lines of nginx.conf that are an installation's own; logs go to the container's.
RUN sed -i -e 's|^    server 127.0.0.1:9528;|    server postgrest:9528;|' -e 's|^    listen 127.0.0.1:9527;|    listen 9527;|' fas.conf \
    && sed -i -e 's|access_log nginx-access.log;|access_log /dev/stdout;|' -e 's|error_log nginx-error.log|error_log stderr|' nginx.conf \
    && mkdir tmp && chown -R www-data: .
USER www-data
EXPOSE 9527
STOPSIGNAL SIGQUIT
CMD ["nginx", "-p", "/var/lib/fas/", "-e", "stderr", "-c", "nginx.conf", "-g", "daemon off;"]
