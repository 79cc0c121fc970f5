import type { Here } from "../shared/events.ts";
import { startComposer } from "./composer.ts";
import { Connection, type Phase } from "./connection.ts";
import { Countdown } from "./countdown.ts";
import { element } from "./element.ts";
import { showReturnedProblem, startForms } from "./forms.ts";
import { showMessages } from "./log.ts";
import { showNodes } from "./nodes.ts";
import { OtherTabs } from "./other-tabs.ts";
import { hidePeople, showPeople } from "./people.ts";
import { showPhase } from "./session-card.ts";

let here: Here | undefined;

const connection = new Connection(phaseChanged);
const otherTabs = new OtherTabs(() => connection.retry());
const countdown = new Countdown(() => connection.socket.emit("stay", () => {}));

function phaseChanged(phase: Phase): void {
  showPhase(phase, countdown);
  if (phase.kind === "open") showReturnedProblem();
  if (phase.kind === "open" && phase.session.state === "live") otherTabs.tell(phase.session.publicId);
  if (phase.kind === "refused" || phase.kind === "ended") here = undefined;
  if (phase.kind !== "open") showNodes("");
  if (here) showPeople(here, ownPublicId());
  else hidePeople();
}

function ownPublicId(): string | undefined {
  const { phase } = connection;
  return phase.kind === "open" && phase.session.state === "live" ? phase.session.publicId : undefined;
}

connection.socket
  .on("history", (messages) => showMessages(messages, ownPublicId()))
  .on("message", (message) => showMessages([message], ownPublicId()))
  .on("node", showNodes)
  .on("here", (news) => {
    here = news;
    showPeople(news, ownPublicId());
  });

element("log-in-again", HTMLButtonElement).addEventListener("click", () => {
  element("login", HTMLFormElement).requestSubmit(); // without a name in it, the browser asks for one
});
element("go-on-as-guest", HTMLButtonElement).addEventListener("click", () => {
  connection.start();
  element("text", HTMLTextAreaElement).focus();
});

startComposer(connection.socket);
startForms();
connection.start();
