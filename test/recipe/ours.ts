import type { Express } from "express";
import { startWorld } from "../support/world.ts";
import { type Application, type ApplicationOptions, installAnswers } from "./application.ts";

/** The application over socket-session. */
export async function ours({ maxAge, store, io }: ApplicationOptions = {}): Promise<Application> {
  const made: Express[] = [];
  const world = await startWorld({
    ...(maxAge === undefined ? {} : { cookie: { maxAge } }),
    ...(store === undefined ? {} : { store }),
    ...(io === undefined ? {} : { io }),
    routes: (app) => void made.push(app),
  });
  const [express] = made;
  if (!express) throw new Error("Expected the application's routes to be set up by now.");
  const application: Application = {
    url: world.url,
    express,
    io: world.io,
    errors: world.errors,
    browser: world.browser,
    visitor: world.visitor,
    see: (socket) => socket.session.data,
    reload: (socket) => socket.session.reload(),
    change: (socket, fn) => socket.session.update(fn),
    close: world.close,
  };
  installAnswers(application);
  return application;
}
