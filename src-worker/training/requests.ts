import type { EngineChoice } from '../../src-shared/model/run-config';
import { GradscopeError } from '../../src-shared/protocol/errors';
import {
  fromWireNumber,
  type RequestName,
  type RequestParams,
  type WeightsReplaced,
} from '../../src-shared/protocol/messages';
import type { Dataset } from '../data/dataset';
import type { Publisher } from '../probe/publisher';
import { explain } from './arithmetic/explain';
import { checkRunRequest, type Run, type RunRequest } from './run';
import type { RunControl, StepKind } from './run-control';
import type { StatusLane } from './status';
import { type Failure, failureOf, type RequestCommand } from './thread-messages';

export interface Answered {
  readonly result?: Readonly<Record<string, unknown>>;
  readonly payload?: Uint8Array<ArrayBuffer>;
}
/** Answers one request, now or later, once. */
export type Reply = (answered: Answered | Failure) => void;

/** What requests work on. */
export interface RequestContext {
  readonly control: RunControl;
  readonly publisher: Publisher;
  readonly status: StatusLane;
  run(): Run | undefined;
  /** @throws GradscopeError `bad-dataset` */
  dataset(): Dataset;
  /** Takes up a new run as soon as nothing stands in its way; `reply` is called then. */
  restart(request: RunRequest, reply: Reply): void;
  /** Goes on on another engine as soon as nothing stands in its way; `reply` is called then. */
  switchEngine(choice: EngineChoice, reply: Reply): void;
  /** Measures every engine anew as soon as nothing stands in its way; `reply` is called then. */
  measureEngines(reply: Reply): void;
  /** Hands the wanted loop over to the controller. */
  switchMode(run: Run): void;
  /** The weights were changed otherwise than by a step: all of them from the file `name`, or one of the parameter `name`. */
  weightsChanged(run: Run, source: WeightsReplaced['source'], name: string): void;
  digitChosen(run: Run): void;
  /** Answers when the last step is measured. @throws GradscopeError `not-now` */
  measureStep(reply: Reply): void;
  /** Play was asked for. */
  playing(run: Run): void;
}

type Handlers = {
  readonly [N in RequestName]: (
    context: RequestContext,
    params: RequestParams<N>,
    reply: Reply,
    command: RequestCommand,
  ) => void;
};

/** Does what a client asks for, or refuses it with one sentence and leaves everything as it was. */
export function serveRequest(context: RequestContext, command: RequestCommand, reply: Reply): void {
  try {
    const serve = HANDLERS[command.method] as Handlers['play'];
    // The hub has checked that the parameters are those of the method.
    serve(context, command.params as RequestParams<'play'>, reply, command);
  } catch (error) {
    reply(failureOf(error));
  }
}

const HANDLERS: Handlers = {
  play(context, _params, reply) {
    const run = theRun(context);
    context.control.play();
    context.playing(run);
    reply({});
  },

  pause(context, _params, reply) {
    theRun(context);
    context.control.pause(() => {
      reply({});
    });
  },

  stepPhase: (context, _params, reply, command) => step(context, 'phase', reply, command),
  stepLayer: (context, _params, reply, command) => step(context, 'layer', reply, command),
  stepBatch: (context, _params, reply, command) => step(context, 'batch', reply, command),
  stepEpoch: (context, _params, reply, command) => step(context, 'epoch', reply, command),

  setMode(context, { mode }, reply) {
    const run = theRun(context);
    run.wantedMode = mode;
    context.switchMode(run);
    reply({});
  },

  setEngine(context, { engine }, reply) {
    theRun(context);
    refuseUnlessEnginesAreFree(context, 'The engine is switched');
    context.switchEngine(engine, reply);
  },

  measureEngines(context, _params, reply) {
    theRun(context);
    refuseUnlessEnginesAreFree(context, 'Engines are measured');
    context.measureEngines(reply);
  },

  setSpeed(context, { stepsPerSecond }, reply) {
    const run = theRun(context);
    context.status.limit = stepsPerSecond;
    context.status.tell(run);
    reply({});
  },

  setBreakpoints(context, { breakpoints }, reply) {
    const run = theRun(context);
    context.control.setBreakpoints(breakpoints);
    context.status.tell(run);
    reply({});
  },

  restart(context, { config, weightsFile }, reply, { payload }) {
    const weights = weightsFile === null ? null : { file: payload, fileName: weightsFile };
    const remark = checkRunRequest({ config, weights }, context.dataset());
    context.restart({ config, weights }, (answered) => {
      reply('code' in answered ? answered : { ...answered, result: { ...answered.result, ...said(remark) } });
    });
  },

  continue(context, { epochs }, reply) {
    const run = theRun(context);
    if (context.control.ended !== 'finished') {
      throw new GradscopeError('not-now', 'Only a finished run can be continued for more epochs.');
    }
    const { session } = run;
    const finishedEpochs = session.epochDone ? session.epoch : session.epoch - 1;
    session.extend(finishedEpochs + epochs - session.epochs);
    run.stopAtStep = null;
    context.control.begin(() => undefined);
    context.status.tell(run);
    reply({});
  },

  chooseDigit(context, { testIndex }, reply) {
    const run = theRun(context);
    run.digit.choose({ testIndex });
    context.digitChosen(run);
    const { label, pixels } = run.digit.chosen;
    const { height, width } = context.dataset();
    reply({ result: { testIndex, label, height, width }, payload: pixels.slice() });
  },

  chooseExample(context, { example }, reply, { client }) {
    const { session } = theRun(context);
    const examples = session.inStep ? (session.minibatch?.indices.length ?? 0) : Infinity;
    if (example >= examples) {
      const expected = `This minibatch has examples 0 to ${String(examples - 1)}`;
      throw new GradscopeError('unknown-image', `${expected}, but number ${String(example)} was asked for.`);
    }
    context.publisher.chooseExample(client, example);
    reply({});
  },

  drawDigit(context, { assumedLabel }, reply, { payload }) {
    const run = theRun(context);
    run.digit.choose({ pixels: payload, assumedLabel });
    context.digitChosen(run);
    const { height, width } = context.dataset();
    reply({ result: { assumedLabel, height, width } });
  },

  loadWeights(context, { fileName }, reply, { payload }) {
    const run = theRun(context);
    refuseUnlessAtBoundary(context, run);
    const remark = run.session.importWeights(payload, fileName);
    context.weightsChanged(run, 'file', fileName);
    reply({ result: said(remark) });
  },

  saveWeights(context, _params, reply) {
    const { session } = theRun(context);
    const result = { step: session.step, weightsSha256: session.weightsSha256() };
    reply({ result, payload: session.exportWeights().slice() });
  },

  setWeight(context, { name, index, value }, reply) {
    const run = theRun(context);
    refuseUnlessAtBoundary(context, run);
    run.session.setWeight(name, index, fromWireNumber(value));
    context.weightsChanged(run, 'value', name);
    reply({});
  },

  readTensor(context, { name, kind }, reply) {
    const { session } = theRun(context);
    if (kind === 'weight' || kind === 'gradient' || kind === 'update') {
      const { values, step, phase, freshness } = session.mirror(name)[kind];
      const shape = session.plan.parameters.find((parameter) => parameter.name === name)?.shape ?? [];
      reply({ result: { shape, step, phase, freshness }, payload: bytesOf(values) });
    } else {
      const { values, shape, step, phase } = session.readLayer(name, kind);
      reply({ result: { shape, step, phase, freshness: 'fresh' }, payload: bytesOf(values) });
    }
  },

  measureStep(context, _params, reply) {
    theRun(context);
    context.measureStep(reply);
  },

  explain(context, question, reply) {
    const { session, digit } = theRun(context);
    if (!context.control.standing) {
      throw new GradscopeError('not-now', 'Arithmetic is shown while training stands still; pause it first.');
    }
    const { explanation, arrays } = explain(session, digit, question);
    reply({ result: explanation, payload: bytesOf(concatenated(arrays)) });
  },

  kernelHistory(context, place, reply) {
    const series = theRun(context).kernelHistory.read(place);
    const { steps, weightNorms, gradientNorms, updateNorms, activeShares, activeAfter } = series;
    const columns = [steps, weightNorms, gradientNorms, updateNorms, activeShares];
    const payload = new Float32Array(columns.flatMap((column) => [...column]));
    reply({ result: { count: steps.length, activeAfter }, payload: bytesOf(payload) });
  },
};

/** A field that is there only when there is something to say. */
const said = (remark: string | null): { remark?: string } => (remark === null ? {} : { remark });

function step(context: RequestContext, kind: StepKind, reply: Reply, { client }: RequestCommand): void {
  theRun(context);
  context.control.step(kind, client, (refusal) => {
    reply(refusal ?? {});
  });
}

function theRun(context: RequestContext): Run {
  const run = context.run();
  if (run === undefined) throw new GradscopeError('not-now', 'There is no run yet; restart with a config.');
  return run;
}

/** @param what is done only while training stands: the beginning of a sentence */
function refuseUnlessEnginesAreFree({ control }: RequestContext, what: string): void {
  if (!control.standing) {
    throw new GradscopeError('not-now', `${what} while training stands still; pause it first.`);
  }
  if (control.ended === 'failed') throw new GradscopeError('not-now', 'The run has failed; restart it.');
}

/** Weights are set by hand only where no minibatch has seen the old ones. */
function refuseUnlessAtBoundary({ control }: RequestContext, { session }: Run): void {
  if (!control.standing) {
    throw new GradscopeError('not-now', 'Weights can be set while training stands still; pause it first.');
  }
  if (session.inStep) {
    const place = `training stands inside step ${String(session.minibatch?.step ?? 0)}`;
    throw new GradscopeError('not-now', `Weights can be set between two minibatches, but ${place}.`);
  }
}

function concatenated(arrays: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(arrays.reduce((length, each) => length + each.length, 0));
  let offset = 0;
  for (const each of arrays) {
    all.set(each, offset);
    offset += each.length;
  }
  return all;
}

const bytesOf = (values: Float32Array): Uint8Array<ArrayBuffer> => new Uint8Array(values.slice().buffer);
