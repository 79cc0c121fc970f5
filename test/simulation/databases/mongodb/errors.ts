/** The errors of a MongoDB server, and those of its driver. */
export function serverError(code: number, codeName: string): Error {
  return Object.assign(new Error(`The server answers ${codeName}.`), { code, codeName });
}

export class ServerSelectionError extends Error {
  constructor(cause: unknown) {
    super("There is no server to be had.", { cause });
  }
}

const ofNetwork = new Set<unknown>(["ECONNRESET", "ECONNREFUSED", "ETIMEDOUT", "EPIPE"]);
const cursorNotFound = 43;

export function isOfNetwork(error: unknown): boolean {
  return ofNetwork.has(codeOf(error));
}

/** Whether a change stream goes on after it, from where it was. */
export function isResumable(error: unknown): boolean {
  return isOfNetwork(error) || error instanceof ServerSelectionError || codeOf(error) === cursorNotFound;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
