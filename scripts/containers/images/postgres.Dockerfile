# In the place of postgres:17 and of supabase/postgres, whose superuser has another name.
FROM intent-debian
ARG SUPERUSER
ENV DEFAULT_SUPERUSER=$SUPERUSER PGDATA=/var/lib/postgresql/data
COPY native /usr/local/pgsql
COPY postgres-entrypoint.sh /usr/local/bin/
RUN (id postgres || useradd --system --home-dir /var/lib/postgresql --create-home postgres) && chmod 755 /usr/local/bin/postgres-entrypoint.sh
EXPOSE 5432
ENTRYPOINT ["postgres-entrypoint.sh"]
