//! Many small questions to the database asked as one.
//!
//! Tasks ask one at a time and read as if they were alone; what is asked while the database works on one batch makes up the
//! next. Nobody waits for a batch to fill.

use tokio::sync::{mpsc, oneshot};

/// Asks; see [`coalesce`].
pub(super) struct Asker<Q, A>(mpsc::Sender<(Q, oneshot::Sender<Option<A>>)>);

impl<Q, A> Clone for Asker<Q, A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// The batch failed, or nobody answers any more: ask again later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the batch that the question was part of was not answered")]
pub(super) struct NotAnswered;

impl<Q, A> Asker<Q, A> {
    pub(super) async fn ask(&self, question: Q) -> Result<A, NotAnswered> {
        let (sender, answer) = oneshot::channel();
        self.0.send((question, sender)).await.map_err(|_| NotAnswered)?;
        answer.await.ok().flatten().ok_or(NotAnswered)
    }
}

/// Gives who asks, and the work of answering, which ends when nobody is left to ask. `answer` is given at most `limit`
/// questions and answers in their order; an error is for all of them.
pub(super) fn coalesce<Q, A, F, W>(limit: usize, mut answer: F) -> (Asker<Q, A>, impl Future<Output = ()>)
where
    F: FnMut(Vec<Q>) -> W,
    W: Future<Output = anyhow::Result<Vec<A>>>,
{
    let (sender, mut questions) = mpsc::channel(limit);
    let work = async move {
        let mut batch = Vec::with_capacity(limit);
        while questions.recv_many(&mut batch, limit).await > 0 {
            let (asked, waiting): (Vec<Q>, Vec<oneshot::Sender<Option<A>>>) = batch.drain(..).unzip();
            let answers =
                answer(asked).await.inspect_err(|error| tracing::warn!("a batch failed: {error:#}"));
            let mut answers = answers.unwrap_or_default().into_iter();
            for waiting in waiting {
                // Who does not wait any more was cancelled.
                let _ = waiting.send(answers.next());
            }
        }
    };
    (Asker(sender), work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn questions_asked_meanwhile_are_one_batch() {
        let mut sizes = Vec::new();
        {
            let (asker, work) = coalesce(4, |asked: Vec<u32>| {
                sizes.push(asked.len());
                async move {
                    tokio::task::yield_now().await;
                    Ok(asked.iter().map(|number| number * 10).collect())
                }
            });
            let asking = async move {
                let answers = futures_util::future::join_all((0..6).map(|number| asker.ask(number))).await;
                drop(asker);
                answers
            };
            let (answers, ()) = tokio::join!(asking, work);
            let expected: Vec<_> = (0..6).map(|number| Ok(number * 10)).collect();
            assert_eq!(answers, expected);
        }
        assert_eq!(sizes, [4, 2]);
    }

    #[tokio::test]
    async fn a_failure_is_for_all_of_its_batch_and_the_next_is_asked() {
        let mut times = 0;
        let (asker, work) = coalesce(4, |asked: Vec<u32>| {
            times += 1;
            std::future::ready(if times > 1 { Ok(asked) } else { Err(anyhow::anyhow!("not yet")) })
        });
        let asking = async move {
            let both = tokio::join!(asker.ask(1), asker.ask(2));
            assert_eq!(both, (Err(NotAnswered), Err(NotAnswered)));
            asker.ask(3).await
        };
        assert_eq!(tokio::join!(asking, work).0, Ok(3));
    }
}
