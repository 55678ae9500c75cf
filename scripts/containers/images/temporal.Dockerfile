# In the place of Temporal's server and of its admin tools: the development server with the CLI, and a tool for schemas that only looks
# whether it gets to PostgreSQL. What the server keeps lies in its container. The last line, CMD, is added by base-images.ts.
FROM intent-debian
COPY temporal /usr/local/bin/temporal
COPY temporal-sql-tool.sh /usr/local/bin/temporal-sql-tool
RUN chmod 755 /usr/local/bin/temporal /usr/local/bin/temporal-sql-tool && useradd --uid 1000 --user-group --create-home --home-dir /var/lib/temporal temporal
USER temporal
WORKDIR /var/lib/temporal
