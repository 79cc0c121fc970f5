/**
 * What is known of an object that another package made, in a property of it that nothing enumerates or copies.
 *
 * In place of a `WeakMap`, for objects that live as long as a request. V8's frequent collections keep all that the values of a
 * weak map refer to, whether their keys are in use or not. A value that refers to its key keeps the whole request, until a full
 * collection.
 *
 * ```ts
 * const responses = new HiddenProperty<ServerResponse>("response");
 * responses.set(request, response);
 * ```
 */
export class HiddenProperty<Value> {
  readonly #key: symbol;

  constructor(name: string) {
    this.#key = Symbol(name);
  }

  /** Not that of an object which `object` inherits from. */
  get(object: object): Value | undefined {
    return Object.hasOwn(object, this.#key) ? Reflect.get(object, this.#key) : undefined;
  }

  /** Does nothing if `object` takes no properties. */
  set(object: object, value: Value): void {
    Reflect.defineProperty(object, this.#key, { value, writable: true, configurable: true });
  }
}
