/**
 * The authors that this browser has written as. Their messages stay on the visitor's own side in every tab, also after a
 * logout.
 */
const key = "own authors";
const most = 20;
const listeners = new Set<() => void>();
let authors = read();

export const isOwn = (author: string) => authors.includes(author);

/** The author that this page writes as. */
export let current = "";

export function writeAs(author: string): void {
  current = author;
  if (!isOwn(author)) {
    authors = [...read(), author].slice(-most);
    localStorage.setItem(key, JSON.stringify(authors));
  }
  for (const listener of listeners) listener();
}

export function onOwn(listener: () => void): void {
  listeners.add(listener);
}

window.addEventListener("storage", (event) => {
  if (event.key !== key) return;
  authors = read();
  for (const listener of listeners) listener();
});

function read(): readonly string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(key) ?? "[]");
    return Array.isArray(kept) ? kept.map(String) : [];
  } catch {
    return []; // something else wrote there
  }
}
