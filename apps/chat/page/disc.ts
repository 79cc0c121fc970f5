/** A disc with the first letter of the name. Decorative: the name stands beside it. */
export function disc(author: string, name: string): HTMLElement {
  const element = document.createElement("span");
  element.ariaHidden = "true";
  paintDisc(element, author, name);
  return element;
}

export function paintDisc(element: HTMLElement, author: string, name: string): void {
  element.className = author.startsWith("user ") ? "disc" : "disc guest";
  element.style.setProperty("--hue", String(numberOf(author, 360)));
  element.textContent = [...name][0]?.toUpperCase() ?? "";
}

/** A number below `count` that is the same for an author in every browser: their colour, or a guest's number. */
export function numberOf(author: string, count: number): number {
  let hash = 0;
  for (const character of author) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 1_000_003;
  return hash % count;
}
