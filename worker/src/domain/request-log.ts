import { requestVoided } from "./errors";

type Entry<Answer> = { readonly answer: Answer } | "voided";

/**
 * Remembers what was answered to which idempotency key.
 *
 * Memory is bounded: past `capacity` keys the oldest is forgotten, as a payment provider forgets its keys after
 * some days.
 */
export class RequestLog<Answer> {
  private readonly entries = new Map<string, Entry<Answer>>();

  /** @param capacity keys remembered; default 10 000, a few MB */
  constructor(private readonly capacity = 10_000) {}

  /**
   * Carries the request out, or repeats the answer that its key was given before.
   *
   * @throws BusinessError `RequestVoided` when the key was voided first
   */
  once(key: string, carryOut: () => Answer): Answer {
    const known = this.entries.get(key);
    if (known === "voided") throw requestVoided(key);
    if (known !== undefined) return known.answer;
    const answer = carryOut();
    this.remember(key, { answer });
    return answer;
  }

  /**
   * Takes the request back.
   *
   * @returns the answer that is to be undone; undefined when there is nothing to undo (any more)
   */
  void(key: string): Answer | undefined {
    const known = this.entries.get(key);
    this.remember(key, "voided");
    return known === undefined || known === "voided" ? undefined : known.answer;
  }

  private remember(key: string, entry: Entry<Answer>): void {
    this.entries.delete(key);
    this.entries.set(key, entry);
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= this.capacity) break;
      this.entries.delete(oldest);
    }
  }
}
