using ResilientHosting.Aborts;

namespace ResilientHosting.Tests.Aborts.Classify;

public sealed class AbortCauseResolverTests
{
    [Theory]
    [InlineData(ClientAbortCause.Client, false, false, false, false, false, false, false)]
    [InlineData(ClientAbortCause.Client, false, false, false, false, false, false, true)]
    [InlineData(ClientAbortCause.Client, false, false, true, true, false, false, true)]
    [InlineData(ClientAbortCause.ClientStreamReset, false, false, false, false, false, true, false)]
    [InlineData(ClientAbortCause.Client, false, false, false, false, false, true, true)]
    [InlineData(ClientAbortCause.SlowClient, false, false, false, false, true, false, true)]
    [InlineData(ClientAbortCause.HostShutdown, false, false, false, true, true, true, true)]
    [InlineData(ClientAbortCause.RequestTimeout, false, true, true, true, true, true, true)]
    [InlineData(ClientAbortCause.Application, true, true, true, true, true, true, true)]
    public void Resolve_WhatTheServerDid_ComesBeforeTheClient(
        ClientAbortCause expected, bool application, bool timedOut, bool cut, bool stopping, bool slow, bool multiplexed, bool closed) =>
        Assert.Equal(
            expected,
            AbortCauseResolver.Resolve(new AbortCircumstances(application, timedOut, cut, stopping, slow, multiplexed, closed)));
}
