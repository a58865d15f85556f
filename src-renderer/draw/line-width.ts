/**
 * Of the lines of charts, CSS pixels. Where no GPU draws, a line of one pixel takes a tenth of the time that a wider one does,
 * which has to be made an area first (1,000 points: 0.1 ms and 1.1 ms in Chromium on one core of an AMD EPYC).
 */
export const CHART_LINE = 1;
