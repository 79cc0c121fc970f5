/** What an object has, asked without knowing its class: clients and stores are described by shape. */

/** A property of an object that may have it. */
export function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

export function hasMethods(value: unknown, ...names: string[]): boolean {
  return names.every((name) => typeof property(value, name) === "function");
}

export function hasProperty(value: unknown, name: string): boolean {
  return typeof value === "object" && value !== null && name in value;
}
