namespace ResilientHosting;

/// <summary>Work that may be given up while it goes on. What it throws after that nobody looks at; it is not to pass for a failure forgotten.</summary>
internal static class AbandonableTask
{
    public static TTask Observed<TTask>(this TTask task)
        where TTask : Task
    {
        if (!task.IsCompletedSuccessfully)
        {
            _ = task.ContinueWith(
                static failed => failed.Exception,
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }

        return task;
    }
}
