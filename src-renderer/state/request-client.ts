import type { RequestName, RequestParams, RequestResult } from '../../src-shared/protocol/messages';

export interface Reply<N extends RequestName> {
  readonly result: RequestResult<N>;
  /** Empty where the reply carries none. */
  readonly payload: Uint8Array;
}

/** How the page asks the trainer for anything. */
export interface RequestClient {
  /**
   * Settles once, in any case.
   * @throws GradscopeError with the trainer's code and sentence when it refuses, `connection-lost` when it has gone.
   */
  request<N extends RequestName>(name: N, params: RequestParams<N>, payload?: Uint8Array): Promise<Reply<N>>;
}
