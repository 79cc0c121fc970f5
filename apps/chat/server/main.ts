import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createChat } from "./create-chat.ts";
import { readEnvironment } from "./environment.ts";

async function start(): Promise<void> {
  const pageDir = fileURLToPath(new URL("../dist", import.meta.url));
  if (!existsSync(`${pageDir}/index.html`)) {
    throw new Error("The page has not been built. `npm start` builds and starts the chat.");
  }
  const { port, notes, ...components } = readEnvironment(process.env);
  const chat = createChat({ ...components, pageDir });
  chat.sessions.on("error", (error) => console.error(error));

  const stop = () => {
    chat.close().catch(fail);
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
  try {
    console.log(`Chat: http://localhost:${await chat.listen(port)}`);
  } catch (error) {
    await chat.close();
    throw isTaken(error)
      ? new Error(`Port ${port} is taken. Choose another: PORT=${port + 1} npm start`)
      : error;
  }
  for (const note of notes) console.log(note);
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}

/** In words where it is something to set right; whole, with its causes, where it is not. */
function fail(error: unknown): void {
  console.error(error instanceof Error && error.cause === undefined ? error.message : error);
  process.exitCode = 1;
}

start().catch(fail);
