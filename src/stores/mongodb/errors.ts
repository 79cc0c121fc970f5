/** The codes of the server's errors that mean something here. */
export const mongodbErrors = {
  /** A collection of that name is there already. */
  namespaceExists: 48,
  commandNotSupported: 115,
  notImplemented: 238,
  duplicateKey: 11000,
} as const;

/** Undefined for what is not an answer of the server, such as a lost connection. */
export function errorCode(error: unknown): number | undefined {
  const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "number" ? code : undefined;
}
