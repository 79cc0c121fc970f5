import type { ErrorRequestHandler, RequestHandler } from "express";

/** `sockets`: the origin of the page's sockets, if it is not the page's own. */
export function securityHeaders(sockets: string | undefined): RequestHandler {
  const connectSources = sockets ? `${sockets} ${sockets.replace(/^http/, "ws")}` : "ws: wss:";
  const contentSecurityPolicy = [
    "default-src 'self'",
    `connect-src 'self' ${connectSources}`,
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");
  return (_request, response, next) => {
    response.set({
      "Content-Security-Policy": contentSecurityPolicy,
      "X-Content-Type-Options": "nosniff",
      // not no-referrer: with that, browsers send `Origin: null` for the page's own forms
      "Referrer-Policy": "same-origin",
    });
    next();
  };
}

/** Shows the visitor a readable failure, and logs its stack. Takes four parameters, as Express counts them. */
export const sayWhatFailed: ErrorRequestHandler = (error, _request, response, next) => {
  if (response.headersSent) return next(error);
  const status = typeof error?.status === "number" ? error.status : 500;
  if (status >= 500) console.error(error?.stack ?? error); // not its causes: a driver's may name session ids
  const what =
    status >= 500 ? "Something went wrong here. Please try again." : "This request can't be served.";
  response.status(status).type("text/plain").send(what);
};
