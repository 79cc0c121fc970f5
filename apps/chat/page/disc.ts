/** A disc with the first letter of the name. Decorative: the name stands beside it. */
export function disc(publicId: string, name: string): HTMLElement {
  const element = document.createElement("span");
  element.ariaHidden = "true";
  paintDisc(element, publicId, name);
  return element;
}

export function paintDisc(element: HTMLElement, publicId: string, name: string): void {
  element.className = publicId ? "disc" : "disc nobody";
  element.style.setProperty("--hue", String(hueOf(publicId)));
  element.textContent = [...name][0]?.toUpperCase() ?? "";
}

/** A person's colour, derived from the public id: the same in every browser. */
function hueOf(publicId: string): number {
  let hash = 0;
  for (const character of publicId) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 360;
  return hash;
}
