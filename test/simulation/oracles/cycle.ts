/**
 * A directed graph with named edges, and the smallest cycle in it.
 *
 * ```ts
 * const graph = new Graph();
 * graph.add("a", "b", "a is before b");
 * graph.smallestCycle();
 * ```
 */
export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly why: string;
}

export class Graph {
  readonly #edges = new Map<string, Edge[]>();

  /** An edge from something to itself says nothing. */
  add(from: string, to: string, why: string): void {
    if (from === to) return;
    this.#edgesFrom(from).push({ from, to, why });
    this.#edgesFrom(to);
  }

  /** The edges of a smallest cycle in order; undefined if there is none. */
  smallestCycle(): Edge[] | undefined {
    let smallest: Edge[] | undefined;
    for (const component of this.components()) {
      if (component.length < 2) continue;
      const within = new Set(component);
      for (const start of component) {
        const cycle = this.#shortestFrom(start, within);
        if (cycle && (!smallest || cycle.length < smallest.length)) smallest = cycle;
        if (smallest?.length === 2) return smallest;
      }
    }
    return smallest;
  }

  /** The strongly connected components (Tarjan's algorithm, without recursion: histories are long). */
  components(): string[][] {
    const marks = new Map<string, Mark>();
    const components: string[][] = [];
    for (const root of this.#edges.keys()) if (!marks.has(root)) this.#visit(root, marks, components);
    return components;
  }

  #visit(root: string, marks: Map<string, Mark>, components: string[][]): void {
    const path: Mark[] = [];
    const stack: Mark[] = [];
    const enter = (name: string) => {
      const mark = { name, order: marks.size, low: marks.size, isOnStack: true, next: 0 };
      marks.set(name, mark);
      path.push(mark);
      stack.push(mark);
    };
    enter(root);
    for (let here = path.at(-1); here; here = path.at(-1)) {
      const edge = this.#edgesFrom(here.name)[here.next++];
      if (edge) {
        const there = marks.get(edge.to);
        if (!there) enter(edge.to);
        else if (there.isOnStack) here.low = Math.min(here.low, there.order);
        continue;
      }
      path.pop();
      const parent = path.at(-1);
      if (parent) parent.low = Math.min(parent.low, here.low);
      if (here.low === here.order) components.push(popUntil(stack, here));
    }
  }

  /** Breadth first, back to where it began. */
  #shortestFrom(start: string, within: ReadonlySet<string>): Edge[] | undefined {
    const arrivals = new Map<string, Edge>();
    const queue = [start];
    for (const name of queue) {
      for (const edge of this.#edgesFrom(name)) {
        if (edge.to === start) return pathTo(edge, start, arrivals);
        if (!within.has(edge.to) || arrivals.has(edge.to)) continue;
        arrivals.set(edge.to, edge);
        queue.push(edge.to);
      }
    }
    return undefined;
  }

  #edgesFrom(name: string): Edge[] {
    const edges = this.#edges.get(name) ?? [];
    if (edges.length === 0) this.#edges.set(name, edges);
    return edges;
  }
}

interface Mark {
  readonly name: string;
  readonly order: number;
  low: number;
  isOnStack: boolean;
  /** The edge that is looked at next. */
  next: number;
}

function popUntil(stack: Mark[], last: Mark): string[] {
  const names: string[] = [];
  for (let mark = stack.pop(); mark; mark = stack.pop()) {
    mark.isOnStack = false;
    names.push(mark.name);
    if (mark === last) break;
  }
  return names.reverse();
}

function pathTo(last: Edge, start: string, arrivals: ReadonlyMap<string, Edge>): Edge[] {
  const path = [last];
  for (let edge: Edge | undefined = last; edge && edge.from !== start; ) {
    edge = arrivals.get(edge.from);
    if (edge) path.unshift(edge);
  }
  return path;
}
