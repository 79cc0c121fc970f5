import { expect, it } from "vitest";
import { SimulatedProcess } from "./process.ts";
import { World } from "./world.ts";

it("runs what a paused process has missed in its order, without what an earlier event cancels", async () => {
  const world = new World(1);
  const process = new SimulatedProcess(world, "n0");
  const ran: string[] = [];
  const cancel: (() => void)[] = [];
  process.clock.after(10, () => {
    ran.push("first");
    for (const one of cancel) one();
  });
  cancel.push(process.clock.after(20, () => ran.push("cancelled")));
  process.clock.after(30, () => ran.push("last"));
  process.pause();
  world.after(1_000, () => process.resume());
  await world.run(2_000);
  expect(ran).toEqual(["first", "last"]);
});
