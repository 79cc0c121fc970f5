import { defineConfig } from "vite";

const target = `http://localhost:${process.env.PORT ?? 3000}`; // server.js

export default defineConfig({
  server: {
    // Without changeOrigin: the server has to see the page's own host.
    proxy: { "/socket.io": { target, ws: true }, "/api": { target }, "/session": { target } },
  },
});
