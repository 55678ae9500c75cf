/** Where the development servers of web frameworks serve pages from, on this machine. */
export const pagePorts = [5173, 4173, 4321, 3000, 8080];

/** Pages from there may call the local gateway and the local Edge Function. */
export const allowedOrigins = pagePorts.flatMap((port) => [`http://localhost:${port}`, `http://127.0.0.1:${port}`]);
