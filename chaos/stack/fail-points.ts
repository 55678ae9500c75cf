/** Where a process can be made to kill itself: before or after one of its side effects, by the SQL function that it calls there. */
export const failPoints = {
  'before-claim': { kind: 'pump', when: 'before', calls: 'intent.claim_commands(' },
  'after-claim': { kind: 'pump', when: 'after', calls: 'intent.claim_commands(' },
  'after-start': { kind: 'pump', when: 'before', calls: 'intent.mark_dispatched(' },
  'after-mark': { kind: 'pump', when: 'after', calls: 'intent.mark_dispatched(' },
  'before-wake': { kind: 'pump', when: 'after', calls: 'intent.claim_processes(' },
  'before-append': { kind: 'worker', when: 'before', calls: 'intent.append_or_catch_up(' },
  'after-append': { kind: 'worker', when: 'after', calls: 'intent.append_or_catch_up(' },
  'before-reject': { kind: 'worker', when: 'before', calls: 'intent.reject_command(' },
  'after-reject': { kind: 'worker', when: 'after', calls: 'intent.reject_command(' },
  'before-react': { kind: 'worker', when: 'after', calls: 'intent.load_process(' },
  'before-advance': { kind: 'worker', when: 'before', calls: 'intent.advance_process(' },
  'after-advance': { kind: 'worker', when: 'after', calls: 'intent.advance_process(' },
  'before-call': { kind: 'worker', when: 'after', calls: 'intent.load_call(' },
  'before-answer': { kind: 'worker', when: 'before', calls: 'intent.answer_call(' },
  'after-answer': { kind: 'worker', when: 'after', calls: 'intent.answer_call(' },
} as const;

export type FailPoint = keyof typeof failPoints;
