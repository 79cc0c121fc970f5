import { countOf } from "../shared/count-of.ts";
import type { Here } from "../shared/events.ts";
import { disc } from "./disc.ts";
import { element } from "./element.ts";
import { current, onOwn } from "./own.ts";

const section = element("here", HTMLElement);
const list = element("people", HTMLUListElement);
let shown: Here | undefined;

/** Who is here, each user once. */
export function showPeople(here: Here): void {
  shown = here;
  draw();
}
onOwn(draw);

export function hidePeople(): void {
  shown = undefined;
  section.hidden = true;
}

function draw(): void {
  if (!shown) return;
  const { people, guests } = shown;
  const items = people.map(({ author, name }) => {
    const item = document.createElement("li");
    const label = document.createElement("span");
    label.textContent = author === current ? `${name} (you)` : name;
    item.append(disc(author, name), label);
    return item;
  });
  if (guests > 0) {
    const item = document.createElement("li");
    item.className = "guests";
    item.append(countOf(guests, "guest"));
    items.push(item);
  }
  list.replaceChildren(...items);
  section.hidden = false;
}
