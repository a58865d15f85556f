/** @param nowMs the animation frame's time, on the clock of performance.now(). */
export type Painter = (nowMs: number) => void;
