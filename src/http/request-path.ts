/**
 * The path of a request's URL, as it was sent: without the query string, without a fragment, which only clients that are no
 * browsers send, and without the host of an absolute URL. Dot segments stay: the application's own middleware of a route has not seen them resolved.
 */
export function pathOf(url: string): string {
  return url.replace(/^https?:\/\/[^/?#]*/i, "").replace(/[?#].*/s, "");
}
