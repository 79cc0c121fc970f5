/**
 * Objects that come and go. A list whose links are cut, as a `Set` would keep them for longer: V8 lets the tables that a set leaves
 * behind as it changes live until a full collection, with what was in them.
 *
 * ```ts
 * const remove = list.add(response);
 * for (const response of list.items()) response.destroy();
 * ```
 */
export class PassingList<Item> {
  #first: Link<Item> | undefined;

  /** The returned function removes it; a second call of it does nothing. */
  add(item: Item): () => void {
    const link = new Link(item, this.#first);
    if (this.#first) this.#first.before = link;
    this.#first = link;
    return () => {
      if (this.#first === link) this.#first = link.after;
      link.cut();
    };
  }

  /** Those that are in it now, the last one first. */
  items(): Item[] {
    const items: Item[] = [];
    for (let link = this.#first; link; link = link.after) if (link.item !== undefined) items.push(link.item);
    return items;
  }
}

class Link<Item> {
  item: Item | undefined;
  before: Link<Item> | undefined;
  after: Link<Item> | undefined;

  constructor(item: Item, after: Link<Item> | undefined) {
    this.item = item;
    this.after = after;
  }

  cut(): void {
    if (this.before) this.before.after = this.after;
    if (this.after) this.after.before = this.before;
    this.item = undefined;
    this.before = undefined;
    this.after = undefined;
  }
}
