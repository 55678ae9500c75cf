# In the place of Temporal's UI: something that listens where it does.
FROM node:24-slim
USER node
CMD ["node", "-e", "http.createServer((request, answer) => answer.end('No UI here.')).listen(8080)"]
