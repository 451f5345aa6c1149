using ResilientHosting.Aborts;

namespace ResilientHosting.Tests.Aborts.Classify;

public sealed class AbortCauseResolverTests
{
    [Theory]
    [InlineData(ClientAbortCause.Client, false, false, false, false, false, false, false, null)]
    [InlineData(ClientAbortCause.Client, false, false, false, false, false, false, true, null)]
    [InlineData(ClientAbortCause.Client, false, false, true, true, false, false, true, null)]
    [InlineData(ClientAbortCause.ClientStreamReset, false, false, false, false, false, true, false, null)]
    [InlineData(ClientAbortCause.Client, false, false, false, false, false, true, true, null)]
    [InlineData(ClientAbortCause.SlowClient, false, false, false, false, true, false, true, null)]
    [InlineData(ClientAbortCause.HostShutdown, false, false, false, true, true, true, true, null)]
    [InlineData(ClientAbortCause.RequestTimeout, false, true, true, true, true, true, true, null)]
    [InlineData(ClientAbortCause.Application, true, true, true, true, true, true, true, null)]

    // With the connection hook, which knows who ended the connection.
    [InlineData(ClientAbortCause.Client, false, false, false, true, false, false, true, "ByClient")]
    [InlineData(ClientAbortCause.Client, false, false, false, true, false, true, false, "ByClient")]
    [InlineData(ClientAbortCause.ClientStreamReset, false, false, false, true, false, true, false, "Open")]
    [InlineData(ClientAbortCause.HostShutdown, false, false, false, true, false, false, false, "Open")]
    [InlineData(ClientAbortCause.SlowClient, false, false, false, false, false, false, true, "ByServer")]
    [InlineData(ClientAbortCause.SlowClient, false, false, false, false, false, true, false, "ByServer")]
    [InlineData(ClientAbortCause.HostShutdown, false, false, false, true, false, false, true, "ByServer")]
    [InlineData(ClientAbortCause.RequestTimeout, false, true, false, false, false, false, true, "ByServer")]
    [InlineData(ClientAbortCause.RequestTimeout, false, true, false, false, false, false, true, "ByApplication")]
    [InlineData(ClientAbortCause.Application, false, false, false, true, false, false, true, "ByApplication")]
    [InlineData(ClientAbortCause.Client, false, false, false, false, false, false, true, "Unexplained")]
    [InlineData(ClientAbortCause.HostShutdown, false, false, false, true, false, true, true, "Unexplained")]
    public void Resolve_WhatTheServerDid_ComesBeforeTheClient(
        ClientAbortCause expected, bool application, bool timedOut, bool cut, bool stopping, bool slow, bool multiplexed, bool closed,
        string? end) =>
        Assert.Equal(
            expected,
            AbortCauseResolver.Resolve(new AbortCircumstances(
                application, timedOut, cut, stopping, slow, multiplexed, closed, end is null ? null : Enum.Parse<ConnectionEnd>(end))));
}
