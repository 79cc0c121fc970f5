import { countOf } from "../shared/count-of.ts";
import type { Device } from "../shared/events.ts";
import { element } from "./element.ts";
import { session } from "./session.ts";

const list = element("devices", HTMLUListElement);
const endOthers = element("end-others", HTMLFormElement);
const hint = element("devices-hint", HTMLParagraphElement);
const fold = element("fold-devices", HTMLButtonElement);
const agoFormat = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });

const redrawEveryMs = 20_000;
let shown: { readonly devices: readonly Device[]; readonly at: number } | undefined;

/** The sessions of this user, this page's first. */
export function showDevices(devices: readonly Device[]): void {
  shown = { devices, at: performance.now() };
  draw();
}
setInterval(draw, redrawEveryMs);

function draw(): void {
  if (!shown) return;
  const hadFocus = list.contains(document.activeElement);
  const passedMs = performance.now() - shown.at;
  const own = session.getSnapshot().publicId;
  const live = shown.devices.filter(({ leftMs }) => leftMs > passedMs);
  const sorted = live.toSorted((a, b) => Number(b.publicId === own) - Number(a.publicId === own));
  list.replaceChildren(...sorted.map((one) => row(one, one.publicId === own, passedMs)));
  fold.textContent = live.length === 1 ? "1 device" : `${live.length} devices`;
  endOthers.hidden = live.length < 2;
  hint.hidden = live.length > 1;
  if (hadFocus) (list.querySelector("button") ?? element("text", HTMLTextAreaElement)).focus();
}

function row({ publicId, name, tabs, seenAgoMs }: Device, isThis: boolean, passedMs: number): HTMLLIElement {
  const title = document.createElement("strong");
  title.textContent = name;
  const seen = document.createElement("span");
  seen.className = "hint";
  const open = countOf(tabs, "tab");
  seen.textContent = isThis ? `This browser, ${open}` : `Active ${ago(seenAgoMs + passedMs)}, ${open}`;
  const words = document.createElement("p");
  words.append(title, " ", seen);
  const item = document.createElement("li");
  item.classList.toggle("this", isThis);
  item.append(words);
  if (!isThis) item.append(signOut(publicId, name));
  return item;
}

function signOut(publicId: string, name: string): HTMLFormElement {
  const input = document.createElement("input");
  input.type = "hidden";
  input.name = "publicId";
  input.value = publicId;
  const button = document.createElement("button");
  button.className = "quiet";
  button.textContent = "Sign out";
  button.ariaLabel = `Sign out ${name}`;
  const form = document.createElement("form");
  form.className = "action";
  form.method = "post";
  form.action = "/devices/end";
  form.append(input, button);
  return form;
}

function ago(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return "just now";
  return minutes < 60
    ? agoFormat.format(-minutes, "minute")
    : agoFormat.format(-Math.floor(minutes / 60), "hour");
}
