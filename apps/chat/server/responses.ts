import type { ErrorRequestHandler, RequestHandler } from "express";

const contentSecurityPolicy = [
  "default-src 'self'",
  "connect-src 'self' ws: wss:",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

export const securityHeaders: RequestHandler = (_request, response, next) => {
  response.set({
    "Content-Security-Policy": contentSecurityPolicy,
    "X-Content-Type-Options": "nosniff",
    // not no-referrer: with that, browsers send `Origin: null` for the page's own forms
    "Referrer-Policy": "same-origin",
  });
  next();
};

/** Shows the visitor a readable failure, and logs its stack. Takes four parameters, as Express counts them. */
export const sayWhatFailed: ErrorRequestHandler = (error, _request, response, next) => {
  if (response.headersSent) return next(error);
  const status = typeof error?.status === "number" ? error.status : 500;
  if (status >= 500) console.error(error?.stack ?? error); // not its causes: a driver's may name session ids
  const what =
    status >= 500 ? "Something went wrong here. Please try again." : "This request can't be served.";
  response.status(status).type("text/plain").send(what);
};
