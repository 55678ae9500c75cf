# In the place of node:24-slim: Debian, Node, npm, and the user `node`.
FROM intent-debian
COPY node /usr/local/bin/node
COPY npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && \
  ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx && \
  useradd --uid 1000 --user-group --create-home node
# Those that the machine trusts which makes this image: a registry may be reached through a proxy of its own authority.
COPY authorities.crt /usr/local/share/authorities.crt
ENV NODE_EXTRA_CA_CERTS=/usr/local/share/authorities.crt
CMD ["node"]
