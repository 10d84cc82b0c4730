// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <freshet/app.hpp>
#include <freshet/broker.hpp>
#include <freshet/client.hpp>
#include <freshet/codec.hpp>
#include <freshet/coded.hpp>
#include <freshet/context.hpp>
#include <freshet/depends.hpp>
#include <freshet/error.hpp>
#include <freshet/extract.hpp>
#include <freshet/filter.hpp>
#include <freshet/future.hpp>
#include <freshet/json.hpp>
#include <freshet/logger.hpp>
#include <freshet/message.hpp>
#include <freshet/middleware.hpp>
#include <freshet/options.hpp>
#include <freshet/outcome.hpp>
#include <freshet/publisher.hpp>
#include <freshet/response.hpp>
#include <freshet/router.hpp>
#include <freshet/subject.hpp>
#include <freshet/subscriber.hpp>
