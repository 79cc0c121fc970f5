/** Where clients come from, and what their requests say of it. */

/**
 * - `own`: a page of the server's own origin. Its browser leaves the origin out of a GET.
 * - `listed`: a page of another origin, that the application admits.
 * - `none`: no page.
 */
export type Page = "own" | "listed" | "none";

export const host = "app.example";

export const listedOrigin = "https://page.example";

export const pages: readonly Page[] = ["own", "own", "listed", "none"];

const origins: Readonly<Record<Page, string | undefined>> = {
  own: `http://${host}`,
  listed: listedOrigin,
  none: undefined,
};

export function originOf(page: Page): string | undefined {
  return origins[page];
}

/** What the requests of a client say of who sends them. */
export interface Sender {
  readonly cookie: string | undefined;
  readonly page: Page;
}

/** The lines of the head of a request. */
export function senderLines({ cookie, page }: Sender, isGet: boolean): string[] {
  const origin = isGet && page === "own" ? undefined : originOf(page);
  return [
    ...(cookie === undefined ? [] : [`Cookie: ${cookie}`]),
    ...(origin === undefined ? [] : [`Origin: ${origin}`]),
  ];
}
