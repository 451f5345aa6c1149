using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ResilientHosting.Tests.Aborts;

/// <summary>Counts the connections a server has open.</summary>
public sealed class ConnectionCount
{
    private readonly Lock _lock = new();
    private int _open;
    private TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Count(ListenOptions listen) => listen.Use(next => async connection =>
    {
        Change(+1);
        try
        {
            await next(connection);
        }
        finally
        {
            Change(-1);
        }
    });

    /// <summary>Until none is open.</summary>
    public Task NoneLeftAsync()
    {
        lock (_lock)
        {
            return _open == 0 ? Task.CompletedTask : _closed.Task.WaitAsync(Infrastructure.LeavingClient.Timeout);
        }
    }

    private void Change(int by)
    {
        lock (_lock)
        {
            _open += by;
            if (_open == 0)
            {
                _closed.TrySetResult();
                _closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }
}
