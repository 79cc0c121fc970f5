import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { createInterface } from "node:readline";

/** A Python program under way. */
export class PythonProgram {
  readonly #child: ChildProcess;
  readonly #lines = new EventEmitter();
  #output = "";
  #error = "";

  /** Runs `program` with the interpreter. */
  constructor(interpreter: string, program: string) {
    const child = spawn(interpreter, ["-c", program], { stdio: ["ignore", "pipe", "pipe"] });
    createInterface({ input: child.stdout }).on("line", (line) => {
      this.#output += `${line}\n`;
      this.#lines.emit("line");
    });
    child.stderr.on("data", (text) => {
      this.#error += text;
    });
    child.once("close", () => this.#lines.emit("line"));
    this.#child = child;
  }

  /** Resolves when it has printed this line. Rejects if it ends without. */
  async printed(line: string): Promise<void> {
    while (!this.#output.split("\n").includes(line)) {
      if (this.#child.exitCode !== null)
        throw new Error(`The program has ended without "${line}": ${this.#output}${this.#error}`);
      await once(this.#lines, "line");
    }
  }

  /** Resolves with the exit code when it has ended. */
  async ended(): Promise<number | null> {
    if (this.#child.exitCode === null) await once(this.#child, "close");
    return this.#child.exitCode;
  }

  close(): void {
    this.#child.kill("SIGKILL");
  }
}
