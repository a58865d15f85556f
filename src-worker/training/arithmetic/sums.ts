/** A product in a sum; `place` is the caller's number for where in the tensors it comes from. */
export interface Term {
  readonly place: number;
  readonly left: number;
  readonly right: number;
  readonly product: number;
}

/** Adds products in float64 and keeps the largest. Products of two float32 numbers are exact in it. */
export class TermSum {
  readonly #most: number;
  /** By size, the largest first; of equals the first added. */
  readonly #largest: Term[] = [];
  #rest = 0;
  #terms = 0;
  #zeros = 0;
  #absolute = 0;

  /** @param most how many of the largest terms are kept */
  constructor(most = 8) {
    this.#most = most;
  }

  add(place: number, left: number, right: number): void {
    const product = left * right;
    this.#terms += 1;
    if (product === 0) this.#zeros += 1;
    this.#absolute += Math.abs(product);
    const smallest = this.#largest.at(-1);
    if (
      this.#largest.length === this.#most &&
      (smallest === undefined || rank(product) <= rank(smallest.product))
    ) {
      this.#rest += product;
      return;
    }
    const at = this.#largest.findIndex((term) => rank(term.product) < rank(product));
    this.#largest.splice(at === -1 ? this.#largest.length : at, 0, { place, left, right, product });
    if (this.#largest.length > this.#most) this.#rest += this.#largest.pop()?.product ?? 0;
  }

  /** Zeros are not worth a line. */
  get largest(): readonly Term[] {
    return this.#largest.filter(({ product }) => product !== 0);
  }

  get rest(): number {
    return this.#rest;
  }

  get terms(): number {
    return this.#terms;
  }

  get zeros(): number {
    return this.#zeros;
  }

  /** Sum of the absolute terms. */
  get absolute(): number {
    return this.#absolute;
  }

  get sum(): number {
    return this.#largest.reduce((sum, { product }) => sum + product, this.#rest);
  }
}

/** What is not a number decides the whole sum, so it comes first. */
const rank = (product: number): number => (Number.isNaN(product) ? Infinity : Math.abs(product));
