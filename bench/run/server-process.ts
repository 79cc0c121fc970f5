/** The measured process: an application, and nothing else. */
import { type ServerSetting, startServer } from "./server.ts";
import { answerTo, argumentOf } from "./worker.ts";

const { answers } = await startServer(argumentOf<ServerSetting>());
answerTo(answers);
