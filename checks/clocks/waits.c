/* librdkafka waits with C11's cnd_timedwait, until a moment by the clock. libfaketime corrects such moments for
 * pthread_cond_timedwait only, so waits are passed on to that. In glibc both work on the same things. */
#include <errno.h>
#include <pthread.h>
#include <threads.h>

int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *until)
{
    switch (pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until)) {
    case 0: return thrd_success;
    case ETIMEDOUT: return thrd_timedout;
    default: return thrd_error;
    }
}
