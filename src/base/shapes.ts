/** Duck typing: clients and stores are described by shape, not by class. */

/** The value of a property; undefined if the value has none. */
export function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

export function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

export function hasMethods(value: unknown, ...names: string[]): boolean {
  return names.every((name) => typeof property(value, name) === "function");
}

export function hasProperty(value: unknown, name: string): boolean {
  return typeof value === "object" && value !== null && name in value;
}
