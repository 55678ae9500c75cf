# One image for the three things that run next to a database: the worker, the command pump, and the migration.
#   docker build -t intent .
#   docker run … intent                                  worker
#   docker run … intent node dist/main/command-pump.js   command pump
#   docker run … intent node dist/cli/intent.js migrate  migration, ends by itself

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
# Optional packages are tools of development too, but pruning them all would take parts of Temporal's SDK along.
RUN npm run build && npm prune --omit=dev --no-audit --no-fund && node scripts/slim-packages.ts

FROM node:24-slim
# Temporal's client takes the certificate authorities of the system; the slim image has none.
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production NODE_OPTIONS=--enable-source-maps MALLOC_ARENA_MAX=2 MALLOC_TRIM_THRESHOLD_=131072 HEALTH_PORT=8080
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json .gmrc ./
# What the migration reads. The rest of sql/ is for those who write one.
COPY sql/committed ./sql/committed
COPY sql/supabase-stand-ins ./sql/supabase-stand-ins
USER node
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.HEALTH_PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--max-old-space-size=1024", "--max-semi-space-size=4", "dist/main/worker.js"]
