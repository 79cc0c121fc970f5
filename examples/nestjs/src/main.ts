// socket-session with NestJS. In this folder: npm install, then npm start.
import { join } from "node:path";
import { NestFactory } from "@nestjs/core";
import type { NestExpressApplication } from "@nestjs/platform-express";
import { AppModule } from "./app.module.js";
import { SessionIoAdapter } from "./session-io.adapter.js";
import { sessions } from "./sessions.js";

const app = await NestFactory.create<NestExpressApplication>(AppModule, { logger: ["error", "warn"] });
app.useStaticAssets(join(import.meta.dirname, "../public"));
app.use(sessions.express());
app.useWebSocketAdapter(new SessionIoAdapter(app));

const port = process.env.PORT ?? 3000;
await app.listen(port);
console.log(`http://localhost:${port}`);
