export default async function login(req, res) {
  if (req.method !== "POST") return res.status(405).end();
  const name = String(req.body?.name || "Anonymous"); // check a password here
  await globalThis.sessions.login(req, { name, clicks: 0 });
  res.redirect(303, "/");
}
