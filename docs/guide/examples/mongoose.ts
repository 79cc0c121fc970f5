import { createServer } from "node:http";
import express from "express";
import mongoose from "mongoose";
import { Server } from "socket.io";
import { liveSessions } from "socket-session";
import { mongodbStore } from "socket-session/mongodb";

declare module "express-session" {
  interface SessionData {
    userId?: string;
  }
}

const User = mongoose.model("User", new mongoose.Schema({ name: { type: String, required: true } }));

await mongoose.connect(process.env.MONGODB_URL ?? "mongodb://127.0.0.1/app"); // before getClient()

const sessions = liveSessions({
  store: mongodbStore({ client: mongoose.connection.getClient(), dbName: mongoose.connection.name }),
  name: "sid",
  secret: process.env.SESSION_SECRET ?? "",
  userId: (data) => data.userId,
});

const app = express();
app.use(sessions.express());
app.post("/login/:name", async (req, res) => {
  const { name } = req.params;
  const user = (await User.findOne({ name })) ?? (await User.create({ name }));
  req.session.regenerate((error) => {
    if (error) return void res.status(503).end();
    req.session.userId = user.id; // a text; not the document
    res.send("in");
  });
});
app.post("/logout", (req, res, next) => {
  req.session.destroy((error) => (error ? next(error) : res.send("out")));
});

const server = createServer(app);
const io = new Server(server);
sessions.attach(io);

io.use(async (socket, next) => {
  socket.data.user = await User.findById(socket.session.userId);
  next(socket.data.user ? undefined : new Error("Log in first."));
});

io.on("connection", (socket) => {
  socket.on("who am I", (done) => done(socket.data.user.name));
});

export async function shutDown() {
  await Promise.all([io.close(), sessions.close()]);
  await mongoose.disconnect(); // last: the store uses the client until it is closed
}
process.once("SIGTERM", shutDown);

server.listen(3000);
