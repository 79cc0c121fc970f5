/** `req.session.reload()`: express-session goes on comparing the data with those that it loaded first. */
import { afterEach, expect, test } from "vitest";
import { startWorld, type World } from "../support/world.ts";

let world: World;
afterEach(() => world.close());

test("a request that sets a key back to what it had loaded, after a reload, saves it", async () => {
  const conflicts: unknown[] = [];
  world = await startWorld({
    routes: (app) =>
      app.post("/back", async (req, res) => {
        await write("lovelace");
        await new Promise((resolve) => req.session.reload(resolve));
        expect(req.session.name).toBe("lovelace");
        req.session.name = "ada";
        res.send("back");
      }),
  });
  world.sessions.on("conflict", (conflict) => conflicts.push(conflict));
  const ada = await world.visitor({ name: "ada" });
  const write = (name: string) => ada.post("/write", { name });
  await ada.post("/back");
  expect(JSON.parse(await ada.get("/session")).data).toEqual({ name: "ada" });
  expect(conflicts).toEqual([]);
});
