/* fake_state.h: what the fake state can do beyond the real one. */
#ifndef TEST_FAKE_STATE_H
#define TEST_FAKE_STATE_H

/* The read that many calls from now fails, as if the device were lost. Negative: none. */
void fake_state_fail_read(int reads);

#endif
