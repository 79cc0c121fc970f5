/** The routes of the measured application, on `req.session`. */
import express, { type Express } from "express";

export function installRoutes(app: Express): void {
  app.get("/read", (req, res) => {
    res.send(req.session.name);
  });
  app.get("/count", (req, res) => {
    res.send(String(req.session.n ?? 0));
  });
  app.post("/write", (req, res) => {
    req.session.n = (req.session.n ?? 0) + 1;
    res.send(String(req.session.n));
  });
  // Last, so that the measured requests don't pass the parser.
  app.post("/login", express.json({ limit: "1mb" }), (req, res, next) => {
    req.session.regenerate((error) => {
      if (error) return next(error);
      Object.assign(req.session, req.body);
      res.send("in");
    });
  });
}
