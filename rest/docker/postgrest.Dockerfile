# PostgREST's own image with fas's configuration, for docker-compose.yml. The context is the source tree.
FROM postgrest/postgrest:v14.14
COPY rest/postgrest.conf /etc/fas/postgrest.conf
CMD ["postgrest", "/etc/fas/postgrest.conf"]
