/**
 * A simulated database was asked for something that it does not know. It ends the run: the product would take an ordinary
 * error for a failing database, and go on.
 */
export class Unsupported extends Error {
  constructor(what: string) {
    super(`The simulation does not know ${what}.`);
  }
}
