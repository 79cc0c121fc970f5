export default async function logout(req, res) {
  if (req.method !== "POST") return res.status(405).end();
  await globalThis.sessions.logout(req, res);
  res.redirect(303, "/");
}
