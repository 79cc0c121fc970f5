import type { Here } from "../shared/events.ts";
import { disc } from "./disc.ts";
import { element } from "./element.ts";
import { countOf } from "./words.ts";

const section = element("here", HTMLElement);
const list = element("people", HTMLUListElement);

/** Who is here; `own` is the public id of this page's session. */
export function showPeople({ people, guests }: Here, own: string | undefined): void {
  const items = people.map(({ publicId, name }) => {
    const item = document.createElement("li");
    const label = document.createElement("span");
    label.textContent = publicId === own ? `${name} (you)` : name;
    item.append(disc(publicId, name), label);
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

export function hidePeople(): void {
  section.hidden = true;
}
