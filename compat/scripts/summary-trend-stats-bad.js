// A statistic that does not exist.
export const options = { summaryTrendStats: ['avg', 'mode'] };

export default function () {}
